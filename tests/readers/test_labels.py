from pathlib import Path

import pytest

from agenther.errors import ReadError, UserError
from agenther.readers.labels import Label, Labeller, load_labels, with_label
from agenther.testing import make_trajectory, user


def load(tmp_path: Path, text: str) -> dict[str, Label]:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    return load_labels(path)


def test_success_and_reward(tmp_path: Path):
    labels = load(tmp_path, "id,success,reward\na,true,\nb,no,0.25\n\nc,,1\n")
    assert labels == {
        "a": Label(success=True),
        "b": Label(success=False, reward=0.25),
        "c": Label(success=True, reward=1),
    }


def test_a_label_replaces_the_outcome_of_its_run_alone():
    run = make_trajectory(user("Feed the cat"), success=None, label_source=None)
    labelled = with_label(run, {"run/1": Label(success=False, reward=0.0)})
    assert (labelled.success, labelled.reward, labelled.label_source) == (False, 0.0, "labels file")
    assert with_label(run, {"run/2": Label(success=False)}) is run


@pytest.mark.parametrize(
    ("text", "line", "where"),
    [
        ("name,success\n", 1, "header"),
        ("", 1, "header"),
        ("id,success\na,perhaps\n", 2, "column success"),
        ("id,reward\na,1\nb,high\n", 3, "column reward"),
        ("id,reward\na,nan\n", 2, "column reward"),
        ("id,success\na,true\na,true\n", 3, "column id"),
        ("id,success\n,true\n", 2, "column id"),
        ("id,success\na\n", 2, "row"),
        ("id,success,reward\na,,\n", 2, "column success"),
    ],
)
def test_what_cannot_be_read_has_its_line_and_column(tmp_path: Path, text: str, line: int, where: str):
    with pytest.raises(ReadError) as caught:
        load(tmp_path, text)
    assert (caught.value.line, caught.value.where) == (line, where)


def test_a_file_that_is_no_text(tmp_path: Path):
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReadError):
        load_labels(tmp_path / "labels.csv")


def test_shared_ids_are_labelled_one_by_one_or_not_at_all(tmp_path: Path):
    path = tmp_path / "labels.csv"
    path.write_text("id,success\nrun/1,true\nrun/1~2,false\nrun/8,true\n")
    run = make_trajectory(user("Feed the cat"), id="run/1")
    labeller = Labeller(path)
    first, second = labeller.label(run, "run/1"), labeller.label(run, "run/1~2")
    assert (first.id, first.success) == ("run/1", True)
    assert (second.id, second.success) == ("run/1~2", False)
    assert labeller.unmatched() == ["run/8"]
    with pytest.raises(UserError, match="'run/1' is the id of several runs, and 'run/1~3' has no label"):
        labeller.label(run, "run/1~3")
    assert Labeller(None).label(run, "run/1") is run
    assert Labeller(None).label(run, "run/1~2").id == "run/1~2"
