"""The routes of ingest with a judge of the tests."""

from django.urls import include, path

from ingest.tests.makers import judge
from ingest.views import BatchView, TransactionView

urlpatterns = [
    path("transaction", TransactionView.as_view(assess=judge), name="transaction"),
    path("transactions/batch", BatchView.as_view(assess=judge), name="batch"),
    path("", include("ingest.urls")),
]
