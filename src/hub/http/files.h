// Files of a repository as routes find and send them.
#ifndef JIKJI_HUB_HTTP_FILES_H_
#define JIKJI_HUB_HTTP_FILES_H_

#include <string>

#include "hub/http/call.h"

namespace jikji::hub {

struct NamedFile {
  std::string commit;
  std::string path;
  File file;
};
// The file that call.rest names, REVISION/PATH, if the caller may read it.
HttpResult<NamedFile> FileNamed(Call& call);

// `response` with the bytes that the request asks for: a range of them, or none where the client
// has them already. `etag` is quoted.
HttpResult<net::Response> ServeFile(Call& call, net::Response response, const File& file,
                                    const std::string& etag);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_HTTP_FILES_H_
