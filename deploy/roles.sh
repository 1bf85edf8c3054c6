#!/bin/sh
# Runs once, when the database container is new: the role that migrates owns everything, the one that serves nothing.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set owner_password="$MOPS_OWNER_PASSWORD" --set serving_password="$MOPS_PASSWORD" <<'SQL'
CREATE ROLE mops_owner LOGIN CREATEDB PASSWORD :'owner_password';
CREATE ROLE mops LOGIN PASSWORD :'serving_password';
CREATE DATABASE mops OWNER mops_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C';
REVOKE ALL ON DATABASE mops FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE mops TO mops;
SQL
