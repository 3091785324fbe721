"""Replaces Adobe's hosts by the simulated platform in the HTTP layer of `requests`; nothing else is ever asked."""

from urllib.parse import urlsplit, urlunsplit

from requests.adapters import HTTPAdapter

ADOBE = {"platform.adobe.io", "ims-na1.adobelogin.com", "dcs.adobedc.net"}


def lead_to(origin: str) -> None:
    """@param origin: `http://127.0.0.1:4010`, say: where IMS, the platform and its inlets are."""
    there = urlsplit(origin)
    send = HTTPAdapter.send

    def redirected(self, request, *args, **kwargs):
        asked = urlsplit(request.url)
        if asked.netloc in ADOBE:
            request.url = urlunsplit((there.scheme, there.netloc, asked.path, asked.query, ""))
        elif asked.netloc != there.netloc:
            raise RuntimeError(f"{asked.netloc} is not asked from here")
        return send(self, request, *args, **kwargs)

    HTTPAdapter.send = redirected
