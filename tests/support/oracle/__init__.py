"""A second model of the books, independent of the core: see ``books``."""
