// A registry's surface (OCI distribution 1.1, pull alone) over the same repositories and blobs: for
// Ollama, skopeo, oras and what else pulls images. docs/hub.md tells what is presented as what.
#ifndef JIKJI_HUB_HTTP_OCI_ROUTES_H_
#define JIKJI_HUB_HTTP_OCI_ROUTES_H_

#include <string_view>

#include "hub/http/call.h"

namespace jikji::hub {

bool IsOciPath(std::string_view path);
HttpResult<net::Response> RunOci(Call& call);
// An error as registries tell it.
net::Response OciResponseOf(const HttpError& error);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_HTTP_OCI_ROUTES_H_
