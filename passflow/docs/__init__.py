"""References that are generated from the code, so that they cannot rot: ``python -m passflow.docs`` writes them."""

from passflow.docs.pages import pages, write_pages

__all__ = ["pages", "write_pages"]
