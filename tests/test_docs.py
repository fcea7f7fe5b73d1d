"""The pages say what the registries say."""

import importlib
import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

from napari_brats.cli.app import build_parser

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINKED = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md"]
CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def tables():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        return importlib.import_module("tables")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_made_from_the_registries(tables, page):
    """A changed registry or card without `python docs/tables.py` is caught."""
    text = page.read_text(encoding="utf-8")
    assert tables.fill(text) == text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_understood(page):
    """Every command in a block of code has the arguments that the program takes."""
    blocks = "".join(CODE.findall(page.read_text(encoding="utf-8"))).replace("\\\n", " ")
    parser, wrong = build_parser(), []
    for line in re.findall(r"^napari-brats .*|(?<=&& )napari-brats .*", blocks, re.MULTILINE):
        words = shlex.split(line, comments=True)[1:]
        try:
            parser.parse_args(words[: words.index(">")] if ">" in words else words)
        except SystemExit:
            wrong.append(line)
    assert not wrong


@pytest.mark.parametrize("page", LINKED, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_links_lead_somewhere(page):
    """Files that a page links to are there, and so are the headings."""
    for link in re.findall(r"\]\((?!http)([^)]+)\)", CODE.sub("", page.read_text("utf-8"))):
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        if heading:
            titles = re.findall(r"^#+ (.*)$", CODE.sub("", target.read_text("utf-8")), re.MULTILINE)
            assert heading in [re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles]


def test_every_table_is_used(tables):
    """No table is made for nothing, and none is asked for that is not there."""
    used = {match[2] for page in PAGES for match in tables.BLOCK.finditer(page.read_text("utf-8"))}
    assert used == set(tables.TABLES)


def test_a_missing_modality_has_its_price_or_no_figure(tables, monkeypatch):
    """Measured, not measured, needed: each cell says which; without such a model, a sentence."""
    dice = {"WT": 0.9, "TC": 0.8, "ET": 0.7}
    scores = {"mean": dice, "without": {"t2": {"WT": 0.8, "TC": 0.7, "ET": 0.6}}}
    card = SimpleNamespace(may_lack=("t1", "t2"), scores=scores)
    row = SimpleNamespace(name="net", card=card, added_as=None)
    monkeypatch.setattr("model_tables.bundled_models", lambda: [row, SimpleNamespace(card=None)])
    assert tables.missing().splitlines()[-1] == (
        "| `net` | 0.900 / 0.800 / 0.700 | not measured | needed | 0.800 / 0.700 / 0.600 | needed |"
    )
    card.may_lack = ()
    assert "nothing to measure" in tables.missing()
