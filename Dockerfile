# One image for web and worker. Build: docker build -t mops .
FROM python:3.13-slim-bookworm AS packages
WORKDIR /app
COPY requirements.lock ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock

FROM python:3.13-slim-bookworm
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MOPS_BOOTSTRAP=0 \
    MOPS_HOME=/var/lib/mops \
    DEBUG=0
RUN useradd --system --create-home --home-dir /var/lib/mops --uid 10001 mops
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
RUN SECRET_KEY=only-for-collecting-static-files-while-the-image-is-built-0000 ALLOWED_HOSTS=localhost \
    DATABASE_URL=postgres://nobody@localhost/none python manage.py collectstatic --noinput
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["gunicorn", "mops.wsgi", "--config", "python:mops.gunicorn", "--bind", "0.0.0.0:8000"]
