# One image for web, worker, beat and the News API; the command decides. The sandbox, which needs
# more packages, has a target of its own:
#   docker build -t quarterdeck .                            the portal
#   docker build -t quarterdeck-sandbox --target sandbox .   the sandbox with the News API

FROM node:24-bookworm-slim AS front-end
WORKDIR /front-end
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
# Source maps are not shipped, and hashed file names refuse a reference that leads nowhere.
RUN mkdir vendor \
    && sed '/sourceMappingURL=/d' node_modules/@tabler/core/dist/css/tabler.min.css \
        > vendor/tabler.min.css \
    && cp node_modules/plotly.js-basic-dist-min/plotly-basic.min.js vendor/ \
    && cp node_modules/plotly.js-basic-dist-min/LICENSE vendor/plotly-basic.LICENSE

FROM python:3.13-slim-bookworm AS python
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app

FROM python AS portal-packages
COPY requirements/portal.txt ./
RUN python -m venv /venv \
    && pip install --no-cache-dir --require-hashes --only-binary :all: -r portal.txt \
    && python -m compileall -q /venv

FROM python AS sandbox-packages
COPY requirements/sandbox.txt ./
RUN python -m venv /venv \
    && pip install --no-cache-dir --require-hashes --only-binary :all: -r sandbox.txt \
    && python -m compileall -q /venv

FROM python AS runtime
# Nothing of the root file system is written: state that may go lives in /tmp.
ENV HOME=/tmp \
    TMPDIR=/tmp \
    QUARTERDECK_HOME=/tmp/quarterdeck
RUN groupadd --gid 10001 quarterdeck \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp quarterdeck

FROM runtime AS sandbox
COPY --from=sandbox-packages /venv /venv
COPY news_api news_api
COPY sandbox sandbox
RUN python -m compileall -q news_api sandbox && install -d -o 10001 -g 10001 /data
USER 10001:10001
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s CMD \
    ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:4566/_health', timeout=4)"]
CMD ["python", "-m", "sandbox", "serve", "--home", "/data", "--port", "4566", "--alb-port", "4567"]

FROM runtime AS portal
COPY --from=portal-packages /venv /venv
COPY LICENSE manage.py services.yaml ./
COPY aws aws
COPY catalog catalog
COPY costs costs
COPY deployments deployments
COPY incidents incidents
COPY monitoring monitoring
COPY news_api news_api
COPY portal portal
COPY ui ui
COPY templates templates
COPY --from=front-end /front-end/vendor /vendor/vendor
RUN QUARTERDECK_HOME=/vendor python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q .
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD \
    ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--blocking-threads", "4", "--backlog", "1024", "--respawn-failed-workers", \
     "portal.wsgi:application"]
