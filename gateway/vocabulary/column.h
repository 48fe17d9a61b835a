// A named part of a result: an SQL column, or a leaf of a JSON document.

#pragma once

#include <string>
#include <vector>

namespace sallyport {

struct Column {
    std::string label;  // as the client sees it

    // Every place its values can come from, qualified: "public.users.email". More than one where
    // several columns meet in one (a view's expression, a table and what it inherits from).
    std::vector<std::string> sources;

    // True where its values are not those of a source as they stand, but made of them: what a mask
    // leaves of a value would then be another part of it.
    bool made = false;

    // False where the protocol could not establish the sources. Such a column is hidden wherever a
    // mask could apply to it.
    bool traced = true;
};

}  // namespace sallyport
