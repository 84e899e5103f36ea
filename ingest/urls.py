"""Routes of ingest that need nobody else; the two doors get `assess` in guardian_site.urls."""

from django.urls import path

from ingest.views import CacheFlushView, CacheStatsView

urlpatterns = [
    path("cache/stats", CacheStatsView.as_view(), name="cache-stats"),
    path("cache/flush", CacheFlushView.as_view(), name="cache-flush"),
]
