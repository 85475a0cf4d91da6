"""The small transactional state of a workspace, and the home folder that everything lies in.

`state.State` opens the database; `tables` holds every table; `home.open_home` finds the folder. They are imported from
their modules, so that a program that only records loads no SQLAlchemy.
"""

from __future__ import annotations

from .home import Home, cache_folder, open_home

__all__ = ["Home", "cache_folder", "open_home"]
