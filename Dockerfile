# The broker, its command line and the simulated provider in one image: bundled JavaScript, the production
# dependencies, Node, and the shared libraries that Node loads. No shell, no package manager, nothing to write to.
# Why it is put together this way: docs/decisions/0006-image.md. How to build and check it: npm run test:image.

# The one base. Its tag names the patch release that package-lock.json pins for development. For a build that
# no registry can change, give the digest too: --build-arg NODE_IMAGE=docker.io/library/node:...@sha256:...
# (the release workflow does: it looks the digest up, builds from it, and writes it into the label below).
ARG NODE_IMAGE=docker.io/library/node:24.21.0-trixie-slim

# JavaScript is the same on every processor, so this part always runs on the machine that builds.
FROM --platform=${BUILDPLATFORM} ${NODE_IMAGE} AS source
WORKDIR /app
COPY package.json package-lock.json .npmrc ./


FROM source AS bundled
# Secrets are optional, and end up in no layer: settings of a private registry, and the certificate of a proxy.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca \
    NODE_EXTRA_CA_CERTS=/run/secrets/ca npm ci --ignore-scripts
COPY rolldown.config.ts ./
COPY src src
RUN npm run build
# A kernel starts the command line by its first line; the image has no /usr/bin/env to find Node with.
RUN sed -i '1s|^#!.*|#!/usr/local/bin/node|' dist/cli/main.js && chmod 755 dist/cli/main.js
# Same sources, same bytes, whenever and by whomever they are built: a layer keeps its digest.
ARG SOURCE_DATE_EPOCH=0
RUN chmod 644 package.json && find dist package.json -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +


FROM source AS dependencies
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca \
    NODE_EXTRA_CA_CERTS=/run/secrets/ca npm ci --ignore-scripts --omit=dev --omit=optional
# What Node never loads: type declarations and TypeScript sources, source maps, manuals, the packages' own tests.
# Licences stay.
RUN find node_modules -type f ! -iname 'licen[cs]e*' \
      \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' -o -name '*.md' -o -name '*.tsbuildinfo' \) -delete \
    && find node_modules -mindepth 2 -maxdepth 3 -type d \
      \( -name test -o -name tests -o -name __tests__ -o -name benchmark -o -name benchmarks -o -name bench \
         -o -name examples -o -name .github \) -exec test -f '{}/../package.json' \; -prune -exec rm -r {} + \
    && find node_modules -depth -type d -empty -delete
ARG SOURCE_DATE_EPOCH=0
RUN find node_modules -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +


# Node and what it needs of the system, for the processor that the image is for.
FROM ${NODE_IMAGE} AS system
ARG SOURCE_DATE_EPOCH=0
COPY .ci/collect-system /
RUN /collect-system /system /usr/local/bin/node \
    && ln -s /app/dist/cli/main.js /system/usr/local/bin/sandbox-broker \
    && find /system -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +


FROM scratch
# From what changes least to what changes most, so that a new release brings a small layer.
COPY --from=system /system/ /
COPY --from=dependencies /app/node_modules/ /app/node_modules/
COPY --from=bundled /app/package.json /app/package.json
COPY --from=bundled /app/dist/ /app/dist/

WORKDIR /app
ENV NODE_ENV=production PATH=/usr/local/bin
# Nobody's number, so that a platform can see that it is not root without reading /etc/passwd.
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 \
  CMD ["node", "/app/dist/cli/healthcheck.js"]
# No entry point: "sandbox-broker jobs run sync" and the like replace the whole command.
CMD ["node", "--max-semi-space-size=32", "--heap-growing-percent=100", "/app/dist/main.js"]

ARG NODE_IMAGE
ARG VERSION=0.0.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="sandbox-broker" \
      org.opencontainers.image.description="Hands out pre-created, one-time-use sandboxes to the students of a class" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="UNLICENSED" \
      org.opencontainers.image.base.name="${NODE_IMAGE}"
