#!/usr/bin/env bash
# Builds the images with docker, starts compose.yaml, and sees three nodes online. Then the images
# have to be small, and all that was started has to end on SIGTERM with status 0.
set -euo pipefail
cd "$(dirname "$0")/.."

nodes=http://127.0.0.1:8080/__mock/nodes
trap 'docker compose logs; docker compose down --timeout 0' EXIT
docker compose up --build --detach
docker build --quiet --build-arg PROGRAM=nodecontract --tag nodecontract .
docker run --rm nodecontract --version

online=0
for _ in {1..60}; do
	online=$(curl --silent --fail --max-time 5 "$nodes" | grep -o '"status":"Online"' | wc -l) || true
	if [[ $online -eq 3 ]]; then break; fi
	sleep 1
done
if [[ $online -ne 3 ]]; then
	echo "compose: $online nodes of 3 are online" >&2
	exit 1
fi

for image in mock-orchestratord nodesim nodecontract; do
	size=$(docker image inspect --format '{{.Size}}' "$image")
	if ((size > 25 << 20)); then
		echo "compose: the image $image has $size bytes" >&2
		exit 1
	fi
done

docker compose stop gpu-node-1 gpu-node-2 gpu-node-3
docker compose stop
containers=$(docker compose ps --all --quiet)
if [[ $(wc -w <<<"$containers") -ne 4 ]]; then
	echo "compose: the containers are not four: $containers" >&2
	exit 1
fi
for container in $containers; do
	status=$(docker inspect --format '{{.Name}} {{.State.ExitCode}}' "$container")
	echo "compose: $status"
	[[ $status == *" 0" ]]
done
