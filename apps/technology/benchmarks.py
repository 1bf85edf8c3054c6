"""How fast the pages people open all day are, over an inventory of tools."""

from collections.abc import Iterator

from django.db import connection

from apps.core.bench.pages import Page, measure, superuser
from apps.core.bench.registry import Result, benchmark
from apps.core.transitions import transition
from apps.technology.bench_stack import technology
from apps.technology.models import Tool

SAMPLE = 1_000


@benchmark("page", default_rows=10_000)
def page(rows: int) -> Iterator[Result]:
    """Home, list and detail through the whole WSGI stack, over `rows` tools."""
    with transition(Tool):
        for start in range(0, rows, SAMPLE):
            numbers = range(start, min(start + SAMPLE, rows))
            Tool.objects.bulk_create([Tool(name=f"Tool {number}", description="measured") for number in numbers])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    one = Tool.objects.order_by("pk")[rows // 2].pk
    pages = [
        Page("home", "/admin/"),
        Page("list", "/admin/technology/tool/", "/stock/technology/tool/"),
        Page("detail", f"/admin/technology/tool/{one}/change/", f"/stock/technology/tool/{one}/change/"),
        Page("history", f"/admin/technology/tool/{one}/history/"),
    ]
    yield from measure(pages, person=superuser(), rows=rows, stock_model=Tool)


__all__ = ["page", "technology"]
