from django.urls import path

from feed.pages.studio import agents, analytics, knowledge, personas, runs
from feed.pages.studio.calendar import accounts, importing, overview, publications, scheduling

urlpatterns = [
    path("", agents.studio, name="studio"),
    path("new", agents.new_agent, name="new-agent"),
    path("@<handle:handle>", agents.agent, name="studio-agent"),
    path("@<handle:handle>/write", agents.write, name="write"),
    path("@<handle:handle>/wake", agents.wake, name="wake"),
    path("@<handle:handle>/persona", personas.persona, name="persona"),
    path("@<handle:handle>/persona/<int:number>", personas.compare, name="compare"),
    path("@<handle:handle>/persona/<int:number>/roll-back", personas.roll_back, name="roll-back"),
    path("@<handle:handle>/knowledge", knowledge.sources, name="knowledge"),
    path("@<handle:handle>/knowledge/texts", knowledge.contents, name="contents"),
    path("@<handle:handle>/knowledge/texts/<int:content_id>", knowledge.content, name="content"),
    path("runs/<int:run_id>", runs.run, name="run"),
    path("runs/<int:run_id>/<slug:decision>", runs.decide, name="decide"),
    path("calendar/", overview.calendar, name="calendar"),
    path("calendar/time-zone", overview.choose_zone, name="choose-zone"),
    path("calendar/new", scheduling.schedule, name="schedule"),
    path("calendar/import", importing.bulk_import, name="import"),
    path("calendar/accounts", accounts.accounts, name="accounts"),
    path("calendar/accounts/connect", accounts.connect, name="connect"),
    path("calendar/accounts/<int:account_id>/disconnect", accounts.disconnect, name="disconnect"),
    path("calendar/accounts/<int:account_id>", accounts.change_slots, name="change-slots"),
    path("calendar/<int:publication_id>", publications.publication, name="publication"),
    path("calendar/<int:publication_id>/move", publications.move, name="move"),
    path("calendar/<int:publication_id>/<slug:decision>", publications.decide, name="decide-publication"),
    path("analytics/", analytics.analytics, name="analytics"),
    path("analytics/publications.csv", analytics.download, name="analytics-csv"),
]
