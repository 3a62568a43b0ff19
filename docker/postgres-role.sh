#!/bin/sh
# Runs once, when the postgres service makes its data volume. The image's own user is a superuser, and superusers bypass
# row-level security; the application therefore gets a role of its own, which owns its database and cannot.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set password="$SECRETARY_PASSWORD" <<'SQL'
CREATE ROLE secretary LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
CREATE DATABASE secretary OWNER secretary;
REVOKE CONNECT ON DATABASE secretary FROM PUBLIC;
SQL
