# Lets ./bazelw find a Debian mirror; to be sourced. In a fresh container apt was never updated, and then names none.
if [ -z "${MCBN_DEBIAN_MIRROR:-}" ] && [ -z "$(apt-get indextargets 'Created-By: Packages')" ]; then
  apt-get -qq update
fi
