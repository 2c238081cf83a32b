"""Database URLs: read, and shown without what is secret in them."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from deft.base.errors import BadUrl

HOW = "postgresql+psycopg://USER@HOST/DATABASE, in [database] url of deft.toml or in $DEFT_DATABASE__URL"
_SECRET = ("pass", "secret", "token")


def parse(text: str) -> URL:
    """The parts of a URL. Raises BadUrl; never with the text, which may hold a password."""
    try:
        url = make_url(text)
        url.get_dialect()
    except NoSuchModuleError:
        raise BadUrl(
            f"not a database URL: nobody knows {text.partition(':')[0]!r}; write it as {HOW}"
        ) from None
    except (ArgumentError, ValueError):
        raise BadUrl(f"not a database URL; write it as {HOW}") from None
    except ModuleNotFoundError:
        return url  # the driver is missing, and to open it says so
    if "@" in (url.host or ""):
        raise BadUrl("the password in the database URL holds a @: write %40 for it, or use password_file")
    return url


def shown(url: URL) -> str:
    """A URL as it may be printed."""
    secret = [name for name in url.query if any(word in name.lower() for word in _SECRET)]
    return url.update_query_dict(dict.fromkeys(secret, "***")).render_as_string(hide_password=True)
