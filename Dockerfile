# Two stages: the program is built with Rust, and runs alone on a base that has a C library and nothing else: no shell,
# no package manager, no root.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p lastseat-server && install -D target/release/lastseat /out/lastseat \
    && install -d -m 0700 /out/data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/lastseat /usr/local/bin/lastseat
COPY --from=build --chown=nonroot:nonroot /out/data /data
ENV LASTSEAT_DATA=/data LASTSEAT_LISTEN=0.0.0.0:8080 LASTSEAT_LOG_FORMAT=json
USER nonroot
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/lastseat"]
CMD ["serve"]
