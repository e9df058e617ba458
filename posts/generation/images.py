import hashlib
import io
from dataclasses import asdict, dataclass
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, UnidentifiedImageError

from posts.generation.providers.base import ImageResult, ProviderError

MAX_PIXELS = 25_000_000
MAX_BYTES = 20_000_000

# IPTC digital source type, the machine-readable "an AI made this".
# Source: https://cv.iptc.org/newscodes/digitalsourcetype/
_XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{source}"/>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


@dataclass(frozen=True, kw_only=True)
class StoredImage:
    """An image in the media storage, under a name made from its content."""

    path: str
    sha256: str
    width: int
    height: int
    size_bytes: int

    def as_output(self) -> dict[str, Any]:
        return asdict(self)


def store(result: ImageResult) -> StoredImage:
    """Check an image, mark it as machine-made and store it as WebP.

    The name is the SHA-256 of the bytes, so that storing again after a crash changes nothing. Raises
    `ProviderError` for what is not an image or too large.
    """
    image = _open(result.content)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=86, method=4, xmp=_XMP.format(source=result.source).encode())
    content = buffer.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    path = f"generated/{digest[:2]}/{digest}.webp"
    if not default_storage.exists(path):
        default_storage.save(path, ContentFile(content))
    return StoredImage(path=path, sha256=digest, width=image.width, height=image.height, size_bytes=len(content))


def _open(content: bytes) -> Image.Image:
    if len(content) > MAX_BYTES:
        raise ProviderError("The image is larger than 20 MB.", is_paid=True)
    try:
        image = Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP"))
        if image.width * image.height > MAX_PIXELS:
            raise ProviderError("The image has more than 25 megapixels.", is_paid=True)
        return image.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise ProviderError("The answer is not an image.", is_retryable=True, is_paid=True) from error
