"""Every route of the site, and the one place where detection is handed to ingest."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
