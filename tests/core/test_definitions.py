"""Definition pages: read from docstrings without importing what they describe."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dnabench import MetricSpec
from dnabench.definitions import markdown, page

MODULE = '''
raise RuntimeError("never imported")

class Metric:
    """What it is,
    over two lines.

    Definition:
        The mean of
            x^2 + 1
        over all x.
    Source:
        Nobody 2020.
    """

class Bare:
    pass
'''


@pytest.fixture
def spec(install):
    install("paged_dna", MODULE)
    return lambda target: MetricSpec(name="paged", target=f"paged_dna:{target}", summary="a summary", direction="lower")


def test_a_page_is_the_headline_and_its_sections(spec):
    found = page(spec("Metric"))
    assert found.headline == "What it is, over two lines."
    assert found.sections == {
        "Definition": "The mean of\n    x^2 + 1\nover all x.",
        "Source": "Nobody 2020.",
    }


def test_without_a_docstring_or_a_module_there_is_no_page(spec):
    assert page(spec("Bare")) is None
    assert page(spec("Absent")) is None
    gone = MetricSpec(name="gone", target="nowhere_dna.x:Y", summary="a summary", direction="lower")
    assert page(gone) is None
    assert "a summary" in markdown(gone)


def test_a_module_that_cannot_be_read_or_imported(install, tmp_path):
    install("torn_dna", 'class Metric:\n    """Torn."""\n  def')
    torn = MetricSpec(name="torn", target="torn_dna:Metric", summary="a summary", direction="lower")
    assert page(torn) is None
    package = tmp_path / "site" / "loud_dna" / "deep"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "metric.py").write_text('class Metric:\n    """Found all the same."""\n')
    loud = MetricSpec(name="loud", target="loud_dna.deep.metric:Metric", summary="a summary", direction="lower")
    assert page(loud).headline == "Found all the same."


def test_formulas_become_code_in_markdown(spec):
    text = markdown(spec("Metric"))
    assert text.startswith("## `paged`, version 1\n\nWhat it is, over two lines.\n")
    assert "The mean of\n\n```text\nx^2 + 1\n```\nover all x." in text


def test_show_prints_the_page_without_importing_torch():
    code = (
        "import sys\nfrom dnabench.cli import main\n"
        "try:\n    main(['show', 'fred'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('torch', 'scipy', 'sklearn', 'numba') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "\nSees\n" in done.stdout
    assert "fred.encoder = shipped" in done.stdout
    assert done.stdout.strip().endswith("[]")
