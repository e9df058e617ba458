"""Refusals of the rules that pages share with the JSON API, as pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.exceptions import APIException, ValidationError

TITLES = {400: "That address no longer works", 403: "That is not yours to do", 409: "Something else was quicker"}


class ExplainRefusals:
    """Show what a shared rule raises as a page with a next step; the API answers for itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, APIException):
            return None
        status = exception.status_code
        context = {"title": TITLES.get(status, "That did not work"), "detail": sentence(exception)}
        return render(request, "feed/refused.html", context, status=status)


def sentence(exception: APIException) -> str:
    if isinstance(exception, ValidationError) and isinstance(exception.detail, dict):
        return " ".join(str(message) for messages in exception.detail.values() for message in messages)
    return str(exception.detail)
