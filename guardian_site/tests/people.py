"""Makers for tests of access: people of a role, and clients that act for them."""

from django.contrib.auth.models import Group, User
from django.test import Client

PASSWORD = "correct-horse-7-battery"


def make_person(role: str | None = "viewer", name: str = "") -> User:
    """Make an account with a role; None makes one that may do nothing."""
    user = User.objects.create_user(name or f"the-{role}", password=PASSWORD, is_staff=True)
    if role is not None:
        user.groups.add(Group.objects.get(name=role))
    return user


def token_client(role: str | None = "viewer", name: str = "") -> Client:
    """Sign somebody in through the API; give a client that sends the token."""
    user = make_person(role, name)
    answer = Client().post(
        "/auth/login",
        {"username": user.username, "password": PASSWORD},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    return Client(headers={"Authorization": f"Bearer {answer.json()['access_token']}"})
