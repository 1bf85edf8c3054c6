"""Files for tests, made on the spot."""

import io
import zipfile

from django.core.files.uploadedfile import SimpleUploadedFile

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(40)
GIF = b"GIF89a" + bytes(40)
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(40)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
ODT = "application/vnd.oasis.opendocument.text"


def package(**parts: bytes) -> bytes:
    """A ZIP file with these parts."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return held.getvalue()


def office(folder: str, **more: bytes) -> bytes:
    """A Word ("word"), Excel ("xl") or PowerPoint ("ppt") document."""
    return package(**{"[Content_Types].xml": b"<Types/>", f"{folder}/document.xml": b"<w/>", **more})


def upload(name: str, content: bytes = PDF) -> SimpleUploadedFile:
    """A file as a browser sends it."""
    return SimpleUploadedFile(name, content)
