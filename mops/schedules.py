"""What runs when: every scheduled job, in one table."""

from django.conf import settings

from apps.core.jobs.schedule import Schedule

SCHEDULES: tuple[Schedule, ...] = (Schedule("jobs.prune", cron="20 3 * * *", zone=settings.TIME_ZONE),)
