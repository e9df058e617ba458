"""What publications brought in and cost: charts, the same as tables, and as CSV."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from agents.models import Profile
from feed.pages import charts
from feed.pages.charts import Point
from feed.pages.studio.calendar.forms import day_input
from feed.pages.studio.calendar.overview import zone_of
from feed.pages.viewers import PageRequest, for_viewer, log_in_first, viewer_of
from performance.budgets import Budget, budgeted
from posts.publishing.networks import NETWORKS, network_named
from posts.publishing.report import COLUMNS, Range, read_report, rows_of

LONGEST = timedelta(days=366)
DAY = timedelta(days=1)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# More days than fit side by side are summed up by week, and those of more than half a year by month.
MOST_DAYS, MOST_WEEKS = 45, 200
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class RangeForm(forms.Form):
    """Which days, the last one included, and which network."""

    start = forms.DateField(label="From", widget=day_input())
    end = forms.DateField(label="Until", widget=day_input())
    network = forms.ChoiceField(
        required=False,
        choices=[("", "All networks"), *((name, network_named(name).label) for name in sorted(NETWORKS))],
    )

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if not self.errors and not timedelta(0) <= data["end"] - data["start"] < LONGEST:
            self.add_error("end", "End on or after the first day, at most a year later.")
        return data


def asked_range(request: PageRequest) -> tuple[Range, RangeForm]:
    """Return the range that an address asks for, the last thirty days where it names none or an impossible one."""
    today = timezone.now().date()
    usual: dict[str, Any] = {"start": today - 29 * DAY, "end": today, "network": ""}
    given = {name: request.GET.get(name, value) for name, value in usual.items()}
    form = RangeForm(given)
    data = form.cleaned_data if form.is_valid() else usual
    return Range(data["start"], data["end"] + DAY, data["network"]), form


@budgeted(Budget(statements=3, p95_ms=100, kilobytes=70, index="analytics_summary_owner_day"))
@never_cache
@require_safe
@for_viewer
def analytics(request: PageRequest, viewer: Profile) -> HttpResponse:
    days, form = asked_range(request)
    zone = zone_of(request)
    report = read_report(viewer, days, zone)
    posts, engagement = (
        series(report["days"], days, "posts"),
        series(report["days"], days, "likes", "comments", "shares"),
    )
    costs = cost_points(report)
    context = {
        "form": form,
        "totals": totals_of(report),
        "charts": [
            ("Posts", charts.columns("Posts published", posts), posts),
            ("Engagement", charts.columns("Likes, comments and shares", engagement), engagement),
            ("Cost per engagement", charts.bars("Cost per engagement by network", costs), costs),
        ],
        "best": best_times(report["hours"]),
        "heat": heat_of(report["hours"]),
        "posts": report["top_posts"],
        "csv": urlencode({"start": str(days.start), "end": str(days.end - DAY), "network": days.network}),
        "time_zone": zone.key,
    }
    return render(request, "feed/studio/analytics.html", context, status=200 if form.is_valid() else 422)


def series(rows: Iterable[dict[str, Any]], days: Range, *counters: str) -> list[Point]:
    """Sum counters up per day, per week or per month: as many as fit side by side."""
    length = (days.end - days.start).days
    sums: Counter[date] = Counter()
    for row in rows:
        sums[begin_of(date.fromisoformat(row["day"]), length)] += sum(row[counter] for counter in counters)
    begins = sorted({begin_of(days.start + DAY * number, length) for number in range(length)})
    return [Point(f"{begin.day} {begin:%b}", sums[begin]) for begin in begins]


def begin_of(day: date, length: int) -> date:
    """Return the first day of what a day is summed up in."""
    if length <= MOST_DAYS:
        return day
    return day - DAY * day.weekday() if length <= MOST_WEEKS else day.replace(day=1)


def totals_of(report: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    rows = report["days"]
    totals = {name: sum(row[name] for row in rows) for name in ("posts", "likes", "comments", "shares", "views")}
    engagement = totals["likes"] + totals["comments"] + totals["shares"]
    cost = report["cost"][0] if report["cost"] else {"cost_micros": 0, "tokens": 0}
    return totals | {
        "engagement": engagement,
        "cost": money(cost["cost_micros"]),
        "tokens": cost["tokens"],
        "cost_per_engagement": money(cost["cost_micros"] / engagement) if engagement else "–",
    }


def cost_points(report: dict[str, list[dict[str, Any]]]) -> list[Point]:
    """Divide what writing cost by what it brought in, per network; one that brought in nothing has no such figure."""
    brought: Counter[str] = Counter()
    for row in report["days"]:
        brought[row["network"]] += row["likes"] + row["comments"] + row["shares"]
    return [
        Point(network_named(row["network"]).label, each, money(each))
        for row in sorted(report["costs"], key=lambda row: str(row["network"]))
        if brought[row["network"]]
        for each in [row["cost_micros"] / brought[row["network"]]]
    ]


def money(micros: float) -> str:
    """Show millionths of the currency of the price list, to four places where there is less than one."""
    whole = micros / 1_000_000
    return f"{whole:,.2f}" if whole >= 1 or whole == 0 else f"{whole:.4f}"


def average(row: dict[str, Any]) -> float:
    return float(row["engagement"] / row["posts"])


def spoken_hour(row: dict[str, Any]) -> str:
    plural = "post" if row["posts"] == 1 else "posts"
    return (
        f"{WEEKDAYS[row['weekday'] - 1]} {row['hour']:02}:00, {average(row):.1f} on average of {row['posts']} {plural}"
    )


def best_times(hours: list[dict[str, Any]]) -> list[str]:
    """Return the five hours of the week that brought in most per publication, in words."""
    ranked = sorted(hours, key=lambda row: (-average(row), -row["posts"], row["weekday"], row["hour"]))
    return [spoken_hour(row) for row in ranked[:5] if row["engagement"]]


def heat_of(hours: list[dict[str, Any]]) -> str:
    points = {(row["weekday"], row["hour"]): Point("", average(row), spoken_hour(row)) for row in hours}
    rows = [(name, [points.get((day, hour)) for hour in range(24)]) for day, name in enumerate(WEEKDAYS, start=1)]
    best = best_times(hours)
    return charts.heat("Engagement per hour of the week", f"Best: {best[0]}." if best else "Nothing published.", rows)


class Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


@never_cache
@require_safe
def download(request: PageRequest) -> HttpResponseBase:
    """Send every publication of the range as CSV, row by row as the database gives them."""
    viewer = viewer_of(request)
    if viewer is None:
        return log_in_first(request)
    days, form = asked_range(request)
    if not form.is_valid():
        return HttpResponse("There is no such range of days.", status=422, content_type="text/plain")
    response = StreamingHttpResponse(csv_lines(rows_of(viewer, days)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="publications-{days.start}-{days.end - DAY}.csv"'
    return response


def csv_lines(rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    for row in rows:
        yield writer.writerow([harmless(value) for value in row])


def harmless(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula. Source: https://owasp.org/www-community/attacks/CSV_Injection"""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
