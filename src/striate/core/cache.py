"""Where things are kept that can be made or fetched again."""

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """Where striate keeps what it can make or fetch again; the folder isn't created.

    `$STRIATE_CACHE`, else `$XDG_CACHE_HOME/striate`, else the system's usual place for a user's cache.
    """
    if chosen := os.environ.get("STRIATE_CACHE"):
        return Path(chosen)
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "striate"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "striate"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "striate" / "cache"
    return Path.home() / ".cache" / "striate"
