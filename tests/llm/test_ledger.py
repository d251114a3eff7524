from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.llm.serving import make_model, make_request
from tests.llm.virtual_time import Distant, run

from agenther.errors import BudgetExceeded, ProviderError
from agenther.llm.base import AskedBy, Response, Usage
from agenther.llm.cache import Spent
from agenther.llm.ledger import Ledger, Metered, cost_usd, most_cost_usd
from agenther.llm.models import Model, Price
from agenther.testing.scripted import ScriptedClient

PRICE = Price(input=1, cached_input=0.5, output=4)
MODELS: dict[str, Model] = {
    "small": make_model("http://a/v1", price=PRICE),
    "free": make_model("http://a/v1", name="free"),
}


def test_the_price_of_an_answer() -> None:
    usage = Usage(prompt_tokens=1_000_000, cached_tokens=400_000, completion_tokens=500_000)
    assert cost_usd(MODELS["small"], usage) == pytest.approx(0.6 + 0.2 + 2)
    assert cost_usd(MODELS["free"], usage) == 0
    whole = make_model("http://a/v1", price=Price(input=1, output=4))
    assert cost_usd(whole, usage) == pytest.approx(1 + 2)


def test_what_is_asked_is_counted_by_stage_and_model() -> None:
    ledger = Ledger(MODELS)
    ledger.count(AskedBy.JUDGE, "small", Usage(prompt_tokens=1000, completion_tokens=100), requests=10)
    usage = Usage(prompt_tokens=300, cached_tokens=200, completion_tokens=50)
    client = Metered(ScriptedClient(lambda _: "yes", usage), ledger)
    for model, stage in [("small", AskedBy.JUDGE), ("small", AskedBy.PROPOSE), ("free", AskedBy.PROPOSE)]:
        run(client.complete(make_request("hello", model, stage)))
    assert ledger.to_json() == {
        "requests": 13,
        "prompt_tokens": 1900,
        "cached_tokens": 600,
        "completion_tokens": 250,
        "cost_usd": 0.0022,
        "accounts": [
            {
                "asked_by": "judge",
                "model": "small",
                "requests": 11,
                "prompt_tokens": 1300,
                "cached_tokens": 200,
                "completion_tokens": 150,
                "cost_usd": 0.0018,
            },
            {
                "asked_by": "propose",
                "model": "free",
                "requests": 1,
                "prompt_tokens": 300,
                "cached_tokens": 200,
                "completion_tokens": 50,
                "cost_usd": 0.0,
            },
            {
                "asked_by": "propose",
                "model": "small",
                "requests": 1,
                "prompt_tokens": 300,
                "cached_tokens": 200,
                "completion_tokens": 50,
                "cost_usd": 0.0004,
            },
        ],
        "unpriced": ["free"],
    }


def test_a_model_of_an_earlier_job_has_no_price_here() -> None:
    spent = Spent(asked_by=AskedBy.JUDGE, model="other", requests=3, usage=Usage(prompt_tokens=1000))
    ledger = Ledger(MODELS, [spent])
    assert (ledger.total.requests, ledger.total.cost_usd, ledger.unpriced) == (3, 0, ["other"])


def test_failures_are_not_counted_and_give_back_what_was_set_apart() -> None:
    request = make_request()
    ledger = Ledger(MODELS, max_cost_usd=most_cost_usd(MODELS["small"], request), max_requests=1)
    client = Metered(ScriptedClient([ProviderError("down"), "yes"], Usage(prompt_tokens=1)), ledger)
    with pytest.raises(ProviderError):
        run(client.complete(request))
    assert ledger.total.requests == 0
    assert run(client.complete(request)).text == "yes"


def test_tokens_that_a_server_does_not_count_are_estimated() -> None:
    ledger = Ledger(MODELS)
    client = Metered(ScriptedClient(["a short answer"], Usage()), ledger)
    usage = run(client.complete(make_request("x" * 1000))).usage
    assert usage.prompt_tokens > 100
    assert 3 <= usage.completion_tokens < 10
    assert ledger.total.cost_usd == pytest.approx(cost_usd(MODELS["small"], usage))


def spend(ledger: Ledger, n: int, usage: Usage, seed: int = 0) -> tuple[int, int]:
    """Ask `n` requests at once, and return how many were answered and how many held back."""

    async def main() -> tuple[int, int]:
        draw = random.Random(seed)
        client = Metered(Distant(ScriptedClient(lambda _: "yes", usage), 1), ledger)

        async def one(number: int) -> Response:
            await asyncio.sleep(draw.random() * 3)
            return await client.complete(make_request(f"request {number}"))

        outcomes = await asyncio.gather(*(one(n) for n in range(n)), return_exceptions=True)
        held = [outcome for outcome in outcomes if isinstance(outcome, BudgetExceeded)]
        answered = [outcome for outcome in outcomes if isinstance(outcome, Response)]
        assert len(held) + len(answered) == n
        return len(answered), len(held)

    return run(main())


@given(
    st.integers(min_value=0, max_value=40),
    st.floats(min_value=0, max_value=0.006),
    st.integers(min_value=1, max_value=8),
    st.integers(min_value=0, max_value=40),
    st.integers(),
)
def test_many_at_once_never_overshoot(n: int, max_cost: float, prompt: int, completion: int, seed: int) -> None:
    ledger = Ledger(MODELS, max_cost_usd=max_cost)
    usage = Usage(prompt_tokens=prompt, completion_tokens=completion)
    answered, held = spend(ledger, n, usage, seed)
    assert ledger.total.cost_usd <= max_cost + 1e-9
    most = most_cost_usd(MODELS["small"], make_request("request 99"))
    if held:
        assert ledger.total.cost_usd + most > max_cost
    assert ledger.total.requests == answered


@given(st.integers(min_value=0, max_value=40), st.integers(min_value=0, max_value=40), st.integers())
def test_as_many_requests_as_allowed_and_no_more(n: int, max_requests: int, seed: int) -> None:
    answered, held = spend(Ledger(MODELS, max_requests=max_requests), n, Usage(prompt_tokens=1), seed)
    assert answered == min(n, max_requests)
    assert held == n - answered


def test_money_that_others_hold_is_waited_for() -> None:
    most = most_cost_usd(MODELS["small"], make_request("request 1"))
    usage = Usage(prompt_tokens=1)
    answered, _ = spend(Ledger(MODELS, max_cost_usd=1.5 * most), 20, usage)
    assert answered == 20


def test_what_was_paid_before_counts() -> None:
    spent = Spent(asked_by=AskedBy.JUDGE, model="small", requests=20, usage=Usage(prompt_tokens=9_990))
    ledger = Ledger(MODELS, [spent], max_cost_usd=0.01, max_requests=100)
    with pytest.raises(BudgetExceeded, match=r"\$0\.0100 spent of \$0\.01 allowed"):
        run(Metered(ScriptedClient([]), ledger).complete(make_request()))
    ledger = Ledger(MODELS, [spent], max_requests=100)
    ledger.count(AskedBy.JUDGE, "free", Usage(), requests=80)
    with pytest.raises(BudgetExceeded, match="100 requests made of 100 allowed"):
        run(Metered(ScriptedClient([]), ledger).complete(make_request(model="free")))


def test_one_called_off_gives_back_what_was_set_apart() -> None:
    async def main() -> None:
        ledger = Ledger(MODELS, max_requests=1)
        client = Metered(Distant(ScriptedClient(lambda _: "yes"), 5), ledger)
        asking = asyncio.create_task(client.complete(make_request()))
        await asyncio.sleep(1)
        asking.cancel()
        await asyncio.sleep(1)
        assert (await client.complete(make_request())).text == "yes"

    run(main())


def test_once_a_request_did_not_fit_nothing_more_is_asked() -> None:
    ledger = Ledger(MODELS, max_cost_usd=0.001)
    asked = ScriptedClient(lambda _: "yes", Usage(prompt_tokens=10, completion_tokens=5))
    client = Metered(asked, ledger)
    dear = make_request("hello", "small", AskedBy.JUDGE).model_copy(update={"max_tokens": 1_000_000})
    run(client.complete(make_request("hello", "small", AskedBy.PROPOSE)))
    for request in (dear, make_request("again", "small", AskedBy.PROPOSE)):
        with pytest.raises(BudgetExceeded):
            run(client.complete(request))
    assert len(asked.requests) == 1
