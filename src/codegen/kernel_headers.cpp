// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernel_headers.hpp"

#include "base/embedded.hpp"

namespace mote {

void add_kernel_header(const std::string& path, std::set<std::string>& done, std::vector<GeneratedFile>& files) {
  if (!done.insert(path).second) return;
  constexpr std::string_view include = "#include \"";
  std::string text(embedded_file("kernels/" + path));
  for (size_t at = text.find(include); at != std::string::npos; at = text.find(include, at + 1)) {
    const size_t begin = at + include.size();
    add_kernel_header(text.substr(begin, text.find('"', begin) - begin), done, files);
    text.insert(begin, "../");
  }
  files.push_back({path, std::move(text)});
}

}  // namespace mote
