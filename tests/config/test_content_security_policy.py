"""Every page carries the policy, and the pages that come with libraries need no inline script."""

import re

import pytest
from django.test import Client

PAGES = ["/", "/log-in", "/admin/login/", "/api/docs/", "/api/redoc/"]


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
def test_scripts_come_from_this_site_only(client: Client, page: str) -> None:
    response = client.get(page)
    assert response.status_code == 200
    policy = response["Content-Security-Policy"]
    assert "default-src 'self';" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy and response["X-Frame-Options"] == "DENY"
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", response.text)
    assert inline == []


@pytest.mark.django_db
def test_only_the_documentation_may_write_styles(client: Client) -> None:
    assert "unsafe-inline" not in client.get("/admin/login/")["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in client.get("/api/docs/")["Content-Security-Policy"]
