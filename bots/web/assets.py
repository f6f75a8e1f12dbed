"""Style sheet, script and icon. The address holds the digest of the content, so a browser may keep a copy for ever."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from aiohttp import web

from bots.messenger import PAGE

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
KEEP = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    name: str
    body: bytes

    @property
    def digest(self) -> str:
        """Changes whenever the content does."""
        return sha256(self.body).hexdigest()[:16]

    @property
    def url(self) -> str:
        """Where the page links to it."""
        return f"{PAGE}/static/{self.digest}/{self.name}"


@cache
def assets() -> dict[str, Asset]:
    """All files, by name; read once."""
    folder = Path(__file__).parent / "static"
    return {file.name: Asset(file.name, file.read_bytes()) for file in folder.iterdir() if file.suffix in TYPES}


async def serve(request: web.Request) -> web.Response:
    """A file. An address with another digest is of another release, and 404 here."""
    asset = assets().get(request.match_info["name"])
    if asset is None or asset.digest != request.match_info["digest"]:
        raise web.HTTPNotFound
    kind = TYPES[Path(asset.name).suffix]
    response = web.Response(body=asset.body, content_type=kind, charset="utf-8", headers=KEEP)
    response.enable_compression()
    return response
