"""The site, by Sphinx: `make docs`. What the pages take from the sources: `_ext/reference.py`."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent / "_ext"), str(Path(__file__).parents[1])]

from nanopelican_hls.cli import REPOSITORY
from nanopelican_hls.versions import __version__

project = "nanopelican-hls"
author = "nanopelican-hls developers"
copyright = author  # noqa: A001
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "reference"]
exclude_patterns = ["_ext"]
root_doc = "index"

# quotes and dots, but no dashes: options begin with two hyphens
smartquotes_action = "qe"
# anchors as in a browser of the repository, so that links lead to the same place in both
myst_heading_anchors = 4
napoleon_google_docstring = False
autodoc_typehints = "none"  # numpydoc has them
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "furo"
html_title = f"nanopelican-hls {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "source_repository": f"https://{REPOSITORY}",
    "source_branch": "main",
    "source_directory": "docs/",
}
