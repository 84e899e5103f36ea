import math

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from detection.models.judgement import Family
from detection.rules import RuleError, read_rules
from ingest.models import Source

# What an owner may ask for; the names are those of the fields of Policy.
POLICY_FIELDS = (
    "pages_per_week",
    "weight_ml",
    "weight_z",
    "minimum_excess",
    "minimum_relative_change",
    "families_off",
    "rules",
)


ONE_OF_SOURCE = _("This source has a policy already; change that one.")
ONE_DEFAULT = _("There is a default policy already; change that one.")


def _known_rules(value: object) -> None:
    try:
        read_rules(value)
    except RuleError as error:
        raise ValidationError(str(error)) from None


def _known_families(value: object) -> None:
    if not isinstance(value, list) or any(one not in Family.values for one in value):
        raise ValidationError(
            _("Must be a list of families; the known ones are %(known)s."),
            params={"known": ", ".join(Family.values)},
        )


def _finite(value: float) -> None:
    # The limits let through what is not a number: it is neither above nor below any.
    if not math.isfinite(value):
        raise ValidationError(_("Must be a finite number."))


class Policy(models.Model):
    """What the owner of one source asked for; without a source, what holds for all others."""

    source = models.OneToOneField(
        Source,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="policy",
        help_text="Empty: the default of every source. An empty field below means that default.",
    )
    pages_per_week = models.FloatField(
        null=True,
        blank=True,
        validators=[_finite, MinValueValidator(0.001), MaxValueValidator(1000)],
        help_text="False pages a week this source may cost; a change holds from its next midnight.",
    )
    weight_ml = models.FloatField(
        null=True, blank=True, validators=[_finite, MinValueValidator(0), MaxValueValidator(1)]
    )
    weight_z = models.FloatField(
        null=True, blank=True, validators=[_finite, MinValueValidator(0), MaxValueValidator(1)]
    )
    minimum_excess = models.FloatField(
        null=True,
        blank=True,
        validators=[_finite, MinValueValidator(0)],
        help_text="Transactions out of place below which nobody is called.",
    )
    minimum_relative_change = models.FloatField(
        null=True,
        blank=True,
        validators=[_finite, MinValueValidator(0), MaxValueValidator(10)],
        help_text="0.15: a change under fifteen per cent calls nobody.",
    )
    families_off = models.JSONField(
        null=True, blank=True, validators=[_known_families], help_text="Families not watched."
    )
    rules = models.JSONField(
        null=True,
        blank=True,
        validators=[_known_rules],
        help_text='For example [{"name": "LOW_APPROVAL", "metric": "approval_rate", "op": "<", '
        '"value": 0.8, "minutes": 5, "level": "CRITICAL"}].',
    )
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "policies"
        constraints = (
            models.UniqueConstraint(
                Coalesce("source", 0),
                name="detection_policy_one_default",
                violation_error_message=_("There is such a policy already; change that one."),
            ),
        )

    def __str__(self) -> str:
        return f"policy of {self.source}" if self.source_id else "default policy"

    def clean(self) -> None:
        self.clean_together()
        # Said of the field, so that the constraints of the same rule are not asked any more.
        if Policy.objects.filter(source=self.source_id).exclude(pk=self.pk).exists():
            raise ValidationError({"source": ONE_OF_SOURCE if self.source_id else ONE_DEFAULT})

    def clean_together(self) -> None:
        """Refuse what no field alone tells; what was stored before it was asked goes on."""
        if self.weight_ml == 0 and self.weight_z == 0:
            raise ValidationError({"weight_z": _("One of the two weights must be above 0.")})
        try:
            rules = read_rules(self.rules)
        except RuleError:
            # Its field tells why.
            return
        for rule in rules:
            if rule.is_rate and rule.value > 1:
                told = _("Rule %(name)s: %(metric)s is at most 1; 0.8 means 80 per cent.")
                params = {"name": rule.name, "metric": rule.metric}
                raise ValidationError({"rules": ValidationError(told, params=params)})


# Days of which nobody knows any more whether people or a file declared them.
OF_OLD = "?"


class SpecialDay(models.Model):
    """A time at which more or less than usual is expected, declared by somebody who knows."""

    class Kind(models.TextChoices):
        PROMOTION = "promotion", "Promotion"
        PAYDAY = "payday", "Payday"
        HOLIDAY = "holiday", "Holiday"
        MIGRATION = "migration", "Migration or planned stop"

    source = models.ForeignKey(
        Source,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="special_days",
        help_text="Empty: all sources.",
    )
    kind = models.CharField(
        max_length=10,
        choices=Kind.choices,
        default=Kind.PROMOTION,
        help_text="During a migration or planned stop nobody is called for silence or low volume.",
    )
    name = models.CharField(max_length=80)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    factor = models.FloatField(
        validators=[_finite, MinValueValidator(0.01), MaxValueValidator(100)],
        help_text="1.5: half as much again as usual is expected; 0.4: four tenths.",
    )
    brought_by = models.CharField(
        max_length=255,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The file of policies that keeps it: once it is not named there, it is taken "
        "away. Empty: declared by people; “?”: before this was noted.",
    )
    created = models.DateTimeField(default=timezone.now, editable=False)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("-starts",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(ends__gt=models.F("starts")),
                name="detection_specialday_order",
                violation_error_message=_("It must end after it starts."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} (x {self.factor:g})"
