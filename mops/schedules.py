"""What runs when: every scheduled job, in one table."""

import datetime as dt

from django.conf import settings

from apps.core.jobs.schedule import Schedule

SCHEDULES: tuple[Schedule, ...] = (
    Schedule("jobs.prune", cron="20 3 * * *", zone=settings.TIME_ZONE),
    Schedule("notifications.deliver_mail", every=dt.timedelta(minutes=1)),
    Schedule("notifications.send_digests", every=dt.timedelta(minutes=15)),
    Schedule("notifications.prune", cron="40 3 * * *", zone=settings.TIME_ZONE),
    Schedule("alerts.wake_snoozed", every=dt.timedelta(minutes=1)),
    Schedule("clocks.fire_due", every=dt.timedelta(seconds=30)),
    Schedule("tickets.fetch_mail", every=dt.timedelta(minutes=1)),
    Schedule("tickets.send_answers", every=dt.timedelta(minutes=1)),
    Schedule("tickets.watch_trends", cron="25 6 * * *", zone=settings.TIME_ZONE),
    Schedule("rights.sweep_grants", every=dt.timedelta(minutes=15)),
    Schedule("rights.watch_duties", cron="20 5 * * *", zone=settings.TIME_ZONE),
    Schedule("rights.watch_reviews", cron="30 6 * * *", zone=settings.TIME_ZONE),
    Schedule("audit.report_unattributed", every=dt.timedelta(minutes=5)),
    Schedule("audit.prepare_partitions", cron="40 1 * * *", zone=settings.TIME_ZONE),
    Schedule("audit.seal", every=dt.timedelta(seconds=30)),
    Schedule("audit.watch_seals", every=dt.timedelta(minutes=5)),
    Schedule("audit.verify", cron="10 2 * * *", zone=settings.TIME_ZONE),
    Schedule("exchange.sync_due_sources", every=dt.timedelta(minutes=1)),
    Schedule("exchange.prune", cron="0 4 * * *", zone=settings.TIME_ZONE),
    Schedule("rules.watch_dates", cron="5 * * * *", zone=settings.TIME_ZONE),
    Schedule("processes.bring_into_force", every=dt.timedelta(minutes=1)),
    Schedule("processes.start_recurring", cron="15 * * * *", zone=settings.TIME_ZONE),
    Schedule("processes.watch_reviews", cron="50 5 * * *", zone=settings.TIME_ZONE),
    Schedule("processes.evaluate_rules", cron="20 4 * * *", zone=settings.TIME_ZONE),
    Schedule("processes.assess_maturity", cron="40 4 * * *", zone=settings.TIME_ZONE),
    Schedule("processes.make_pack", cron="0 5 1 1,4,7,10 *", zone=settings.TIME_ZONE),
    Schedule("leads.score_due", every=dt.timedelta(minutes=1)),
    Schedule("leads.find_duplicates", cron="5 4 * * *", zone=settings.TIME_ZONE),
    Schedule("leads.count_quality", cron="15 5 * * *", zone=settings.TIME_ZONE),
    Schedule("leads.expire_handoffs", every=dt.timedelta(minutes=5)),
    Schedule("leads.score_all", cron="35 3 * * *", zone=settings.TIME_ZONE),
    Schedule("leads.prepare_partitions", cron="45 1 * * *", zone=settings.TIME_ZONE),
    Schedule("content.watch_expiry", cron="10 0 * * *", zone=settings.TIME_ZONE),
    Schedule("tickets.close_quiet", cron="30 4 * * *", zone=settings.TIME_ZONE),
    Schedule("tickets.remind_of_surveys", cron="20 9 * * 1-5", zone=settings.TIME_ZONE),
    Schedule("technology.watch_renewals", cron="0 6 * * *", zone=settings.TIME_ZONE),
    Schedule("technology.watch_duties", cron="30 5 * * *", zone=settings.TIME_ZONE),
    Schedule("technology.feed_health", every=dt.timedelta(minutes=10)),
    Schedule("technology.propose_reclaims", cron="15 6 * * *", zone=settings.TIME_ZONE),
    Schedule("campaigns.launch_due", every=dt.timedelta(minutes=1)),
    Schedule("campaigns.watch_figures", cron="10 * * * *", zone=settings.TIME_ZONE),
    Schedule("approvals.carry_out_due", every=dt.timedelta(minutes=5)),
    Schedule("approvals.watch", every=dt.timedelta(minutes=30)),
    Schedule("accounts.watch_vacancies", cron="10 5 * * *", zone=settings.TIME_ZONE),
)
