"""What a run bought: the product's page, the options chosen on it, and the order that went through.

Recognises a shop by what it answers (a product page with a price) and by a call that buys. One claim a purchase.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as member

from agenther.conclusions import Claim
from agenther.record import Json
from agenther.stages.language.outcomes import is_error
from agenther.stages.language.shop_pages import Option, ProductPage, listed_products, product_page
from agenther.trajectory import Observation, Span, Step, ToolCall, Trajectory, find_text

_BUY = re.compile(r"(?:^|_)(?:buy|purchase|checkout|check_out|order_now|place_order|create_order|submit_order)(?:$|_)")
_BUY_BUTTON = re.compile(r"\s*(?:buy now|buy|place order|checkout)\s*\Z", re.IGNORECASE)
_CART = re.compile(r"(?:^|_)add(?:_\w+)?_(?:cart|basket|bag)(?:$|_)")
_CLICK = re.compile(r"(?:^|_)(?:click|press|tap)(?:$|_)")
_SEARCH = re.compile(r"(?:^|_)(?:search|find|browse|query)(?:$|_)")
_QUERY_NAMES = ("query", "q", "keywords", "search_term", "text", "search")
_NUMBER = re.compile(r"(?=\w*\d)[\w-]{6,}")
"""Of a product."""
_START = re.compile(r"^\s*\[Search\]\s*$", re.MULTILINE)
_CONFIRMED = re.compile(
    r"\border(?:ed|_id)?\b|\bpurchased?\b|\bbought\b|\bconfirmed\b|\bsuccess(?:ful|fully)?\b|\bthank you\b",
    re.IGNORECASE,
)


@dataclass
class Visit:
    """A product page that is open, how the agent came to it, and what it has chosen there."""

    step: int
    field: str
    page: ProductPage
    search_step: int
    cart_step: int = 0
    chosen: dict[str, tuple[Option, Span]] = member(default_factory=dict[str, tuple[Option, Span]])


def purchases(trajectory: Trajectory) -> Iterator[Claim]:
    """Yield a claim for each order that the run placed from a product's page."""
    yield from _claims(trajectory, "shopping")


def purchases_any_search(trajectory: Trajectory) -> Iterator[Claim]:
    """Yield the same claims for the wider domain, in which a search for something else may stay without loss."""
    yield from _claims(trajectory, "shopping-any-search")


def query_of(call: ToolCall) -> str | None:
    """Return what a call searches for; None when it is no search."""
    return call.text(*_QUERY_NAMES) if _SEARCH.search(call.function_name.casefold()) else None


def is_buying(call: ToolCall) -> bool:
    """Tell whether a call places an order."""
    if _CLICK.search(call.function_name.casefold()):
        return any(isinstance(v, str) and _BUY_BUTTON.match(v) for v in call.values.values())
    return bool(_BUY.search(call.function_name.casefold()))


def speech_of(call: ToolCall) -> str:
    """Return what of a shopping call may speak of a goal: searches and choices, not buttons and product numbers."""
    if is_buying(call):
        return ""
    return query_of(call) or " ".join(
        v for v in call.values.values() if isinstance(v, str) and not _NUMBER.fullmatch(v)
    )


def pairs_of(step: Step) -> Iterator[tuple[int, ToolCall, int, Observation]]:
    """Yield each call with its observation and both numbers; calls without one are left out."""
    for i, call in enumerate(step.tool_calls):
        for j, observation in enumerate(step.observations):
            answers = observation.source_call_id == call.tool_call_id if observation.source_call_id else i == j
            if answers:
                yield i, call, j, observation
                break


def _claims(trajectory: Trajectory, domain: str) -> Iterator[Claim]:
    if not any(is_buying(call) for step in trajectory.agent_steps for call in step.tool_calls):
        return
    visit: Visit | None = None
    carted: list[Visit] = []
    search_step = 0
    for step in trajectory.agent_steps:
        for i, call, j, observation in pairs_of(step):
            if is_error(observation.content):
                continue
            place = f"tool_calls[{i}].arguments"
            if _CART.search(call.function_name.casefold()):
                if visit is not None:
                    _choose(visit, step, call, place)
                    visit.cart_step = step.step_id
                    carted.append(visit)
            elif is_buying(call):
                visit = _ordered(visit, carted)
                if visit is not None and _went_through(trajectory, observation):
                    _choose(visit, step, call, place)
                    if _same_product(visit, call):
                        yield _claim(domain, visit, step, whole(step, place))
                visit, carted = None, []
            elif (page := product_page(observation.content)) is not None:
                if visit is None or visit.page.title.value != page.title.value:
                    visit = Visit(step.step_id, f"observations[{j}].content", page, search_step)
                _choose(visit, step, call, place)
            elif query_of(call) is not None or _leaves(observation.content):
                search_step = step.step_id if query_of(call) is not None else search_step
                visit = None
            elif visit is not None:
                _choose(visit, step, call, place)


def _ordered(visit: Visit | None, carted: list[Visit]) -> Visit | None:
    """Return what an order is for: what lies in the cart, if that is one product, else the product whose page is open."""
    if not carted:
        return visit
    return carted[0] if all(one.page.title.value == carted[0].page.title.value for one in carted) else None


def _leaves(text: str) -> bool:
    """Tell whether an answer is a page of results or the start page: no product's page is open any more."""
    return bool(listed_products(text) or _START.search(text))


def whole(step: Step, place: str) -> Span:
    """Return the span of a whole field."""
    return Span(step=step.step_id, field=place, start=0, end=len(step.text_of(place)))


def _went_through(trajectory: Trajectory, observation: Observation) -> bool:
    """Tell whether an order was taken: the answer says so, or the harness ended the run with a score for it."""
    return bool(_CONFIRMED.search(observation.content)) or "score" in trajectory.labels


def _same_product(visit: Visit, call: ToolCall) -> bool:
    """Tell whether an order that names a product names the one whose page is open."""
    named = next((v for k, v in call.values.items() if k.endswith(("product_id", "item_id", "sku", "asin"))), None)
    return named is None or visit.page.product_id in (None, str(named))


def _choose(visit: Visit, step: Step, call: ToolCall, place: str) -> None:
    """Note the options of the open page that a call names."""
    for name, value in _flat(call.values):
        option = next(
            (o for o in visit.page.options if o.group == name and o.value.value.casefold() == value.strip().casefold()),
            visit.page.option(value),
        )
        span = find_text(step, place, value)
        if option is not None and span is not None:
            visit.chosen[option.group] = (option, span)


def _flat(value: Json, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _flat(member, key)
    elif isinstance(value, list):
        for member in value:
            yield from _flat(member, name)
    elif isinstance(value, str | int):
        yield name, str(value)


def _claim(domain: str, visit: Visit, step: Step, order: Span) -> Claim:
    page = visit.page

    def seen(start: int, end: int) -> Span:
        return Span(step=visit.step, field=visit.field, start=start, end=end)

    options: list[Json] = [
        {
            "group": option.group,
            "value": option.value.value,
            "step": span.step,
            "at": [option.value.start, option.value.end],
        }
        for option, span in visit.chosen.values()
    ]
    evidence = [seen(page.title.start, page.title.end)]
    if page.price is not None:
        evidence.append(seen(page.price.start, page.price.end))
    evidence += [span for _, span in visit.chosen.values()]
    chosen = ", ".join(f"{option.group} {option.value.value}" for option, _ in visit.chosen.values())
    return Claim(
        text=f"Bought {page.title.value}" + (f" ({chosen})" if chosen else ""),
        kind=f"{domain}.purchase",
        evidence=(*evidence, order),
        data={
            "product_step": visit.step,
            "field": visit.field,
            "search_step": visit.search_step,
            "cart_step": visit.cart_step,
            "order_step": step.step_id,
            "options": options,
        },
    )
