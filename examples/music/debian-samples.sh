#!/usr/bin/env bash
# Imports real recordings that Debian packages carry: 500 short prompts (WAV), game music (Ogg Vorbis).
# Nothing is installed: the packages are fetched and unpacked below FOLDER.
#   bash examples/music/debian-samples.sh FOLDER [options of `npm run music`]
set -euo pipefail
folder="$(realpath -m "${1:?Which folder? It may be new.}")"
shift
packages=(asterisk-core-sounds-en-wav singularity-music fb-music-high)

mkdir -p "$folder"
for package in "${packages[@]}"; do
  [[ -d $folder/$package ]] && continue
  (cd "$folder" && apt-get download --quiet "$package")
  dpkg-deb --extract "$folder/$package"_*.deb "$folder/$package"
  rm "$folder/$package"_*.deb
done

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
npm run --silent music -- "$folder" "$@"
