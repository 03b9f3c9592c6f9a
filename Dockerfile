# An image of one of the programs, with nothing else in it:
#
#	docker build --build-arg PROGRAM=mock-orchestratord -t mock-orchestratord .
#
# PROGRAM is mock-orchestratord, nodesim or nodecontract.
FROM golang:1.26 AS build
WORKDIR /src
COPY . .
ARG PROGRAM=mock-orchestratord
ENV GOCACHE=/cache/build GOMODCACHE=/cache/modules
RUN --mount=type=cache,target=/cache \
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /program "./cmd/$PROGRAM"

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /program /program
USER 65532:65532
ENTRYPOINT ["/program"]
