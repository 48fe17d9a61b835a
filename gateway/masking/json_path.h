// A path of `json:`: which values of a document it is about.
//
//     $.a.b           member b of member a          $['odd name']   any name, in either quote
//     $.list[0]       an element, from 0            $.list[*]  $.a.*   every element or member
//     $..email        every member of that name, at any depth; likewise $..[0], $..*
//     $               the whole document

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/vocabulary/result.h"

namespace sallyport {

struct JsonStep {
    enum class Kind : std::uint8_t { name, index, every };

    Kind kind = Kind::name;
    bool at_any_depth = false;  // behind ".."
    std::string name;
    std::uint64_t index = 0;
};

struct JsonPath {
    static constexpr std::size_t most_steps = 64;

    // Fault::refused, with what is wrong in a form that fits behind the path, where the path is
    // none, or has a filter, a slice or anything else that is not supported.
    static Result<JsonPath> parse(std::string_view text);

    std::string text;  // as it was written
    std::vector<JsonStep> steps;
};

}  // namespace sallyport
