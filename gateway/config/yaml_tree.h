// A YAML document as a tree in which every value knows its line.
//
// Built from the parser's events rather than from YAML::Node, because the latter keeps the last of
// two equal keys and expands aliases without a word. What a configuration has no use for - anchors,
// aliases, tags, a second document, keys that are not words - is a problem.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/configuration.h"

namespace sallyport {

struct YamlKey {
    std::string text;
    int line = 0;
};

struct YamlEntry;

struct YamlNode {
    enum class Kind : std::uint8_t { null, scalar, list, map };

    Kind kind = Kind::null;
    int line = 0;

    std::string written;  // scalar: as it stands in the file; the only text a message may show
    std::string text;     // scalar: with its references resolved; may be a secret
    bool broken = false;  // scalar: a reference in it could not be resolved, which is reported

    std::vector<YamlNode> items;     // list
    std::vector<YamlEntry> entries;  // map, each key once
};

struct YamlEntry {
    YamlKey key;
    YamlNode value;
};

// The document's root. Mistakes of form are added to problems, under the name of the file; after
// one that the parser cannot get past the root is null.
YamlNode read_yaml(std::string_view text, const std::string& file, std::vector<Problem>& problems);

// One text for trees of one meaning: comments, spacing, quotes and the order of keys leave it as it
// is; the order of a list changes it.
std::string canonical(const YamlNode& node);

}  // namespace sallyport
