"""What the sample shows: a made-up company of five teams and a third of a year of its calls.

`work.py` tells the story, `calls.py` turns it into usage records, `connections.py` into the state of a workspace.
"""

from __future__ import annotations
