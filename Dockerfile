# One image for every part of the program: `journey serve` (default), `journey worker`, `journey migrate`.
# What pages load from npm is made in a stage of its own, so that the image holds no Node.
FROM node:22-slim AS files
WORKDIR /srv/journey
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts
COPY static static
RUN node static/tools/vendor.mjs

FROM python:3.13-slim

WORKDIR /srv/journey
COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml setup.py README.md LICENSE alembic.ini ./
COPY app app
COPY flows flows
COPY nodes nodes
COPY --from=files /srv/journey/static static
COPY templates templates
COPY migrations migrations
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --editable .

# A number without a name: nothing in the image belongs to it, so nothing in the image can be changed by it.
USER 10001
ENV JOURNEY_HOST=0.0.0.0 JOURNEY_PORT=8000 JOURNEY_LOG_FORMAT=json PYTHONDONTWRITEBYTECODE=1
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["journey"]
CMD ["serve"]
