# syntax=docker/dockerfile:1
#
# docker build -t vestibule .
#
# The server as a small image: one binary, no shell, user 65532, nothing that it writes outside /var/lib/vestibule, and in
# Keycloak's place (`start-dev`, `start`, by its own path too) outside /opt/keycloak/data.
# docker-compose.yml runs it beside Postgres.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY src src
COPY migrations migrations
COPY templates templates
COPY argon2id argon2id
COPY program program
# Not built here, but named in the manifests.
COPY bench bench
COPY tests tests
# The caches stay on the building machine, so the binary is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package vestibule-program --bin vestibule \
 && install -D target/release/vestibule /image/usr/local/bin/vestibule \
 && install -d -m 0700 -o 65532 -g 65532 /image/var/lib/vestibule \
 && install -d /image/opt/keycloak/bin \
 && ln -s /usr/local/bin/vestibule /image/opt/keycloak/bin/kc.sh \
 && install -d -m 0755 -o 65532 -g 65532 /image/opt/keycloak/data /image/opt/keycloak/data/import

# glibc, the certificates that are trusted for outbound connections, and the user 65532; of the same Debian
# release as above.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /image /
USER 65532:65532
WORKDIR /var/lib/vestibule
VOLUME /var/lib/vestibule
# Requests, and health with metrics.
EXPOSE 8080 8443 9000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=3 \
    CMD ["/usr/local/bin/vestibule", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/vestibule"]
CMD ["serve", "--config", "/etc/vestibule/vestibule.toml"]
