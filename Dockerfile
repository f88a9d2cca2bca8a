# The one image: the registry, the operator and the mirror agent, started as `<image> PROGRAM ...`.
#   docker build -t registry-operator .      everything inside the build
#   npm run image                            the same from a bundle made outside, where no image registry is in reach too
# Any base will do that has Node 24 as `node` in PATH, such as gcr.io/distroless/nodejs24-debian12.
ARG BASE=node:24-slim
ARG BUILDER=node:24-slim

FROM ${BASE} AS runtime
LABEL org.opencontainers.image.title="registry-operator" \
      org.opencontainers.image.description="The in-cluster container registry: operator, registry and node agent" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/nodejs/bin:/usr/local/bin:/usr/bin:/bin NODE_ENV=production
COPY image/config.yml /etc/distribution/config.yml
# The entry point and the words after it are those of registry:3, so that its users change nothing but the image's name.
ENTRYPOINT ["node", "/app/main.js"]
CMD ["registry", "serve", "/etc/distribution/config.yml"]
EXPOSE 5000 5001
WORKDIR /
USER 65532:65532

# Before the build stage, since some engines run every stage up to the wanted one.
FROM runtime AS prebuilt
COPY --chown=65532:65532 dist/volume /var/lib/registry
COPY dist/app /app
VOLUME /var/lib/registry

FROM ${BUILDER} AS build
WORKDIR /source
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts scripts
COPY src src
RUN node scripts/bundle.ts

FROM runtime
COPY --from=build --chown=65532:65532 /source/dist/volume /var/lib/registry
COPY --from=build /source/dist/app /app
VOLUME /var/lib/registry
