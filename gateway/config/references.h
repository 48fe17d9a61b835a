// `${env:NAME}` and `${file:PATH}` in the values of a configuration.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "gateway/config/yaml_tree.h"

namespace sallyport {

// Replaces the references in every scalar of the tree. Relative paths start at `folder`; one
// newline at the end of a file is dropped; `$${` stands for `${` itself. What was put in is not
// looked at again. A reference that cannot be resolved is a problem that names it, never a value,
// and marks its scalar as broken.
void resolve_references(YamlNode& root, const std::filesystem::path& folder,
                        const std::string& file, std::vector<Problem>& problems);

// The whole of a regular file of at most `limit` bytes, or why not: "does not exist".
tl::expected<std::string, std::string> read_whole_file(const std::filesystem::path& path,
                                                       std::size_t limit);

}  // namespace sallyport
