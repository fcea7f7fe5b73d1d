"""The pages say what the registries say."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_made_from_the_registries(tables, page):
    """A changed registry or card without `python docs/tables.py` is caught."""
    text = page.read_text(encoding="utf-8")
    assert tables.fill(text) == text


def test_every_table_is_used(tables):
    """No table is made for nothing, and none is asked for that is not there."""
    used = {match[2] for page in PAGES for match in tables.BLOCK.finditer(page.read_text("utf-8"))}
    assert used == set(tables.TABLES)
