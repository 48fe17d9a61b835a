// The options of COPY that say what its data looks like.

#pragma once

struct List;

namespace sallyport::postgres {

struct CopyTarget;

// options: DefElem nodes. Defaults that depend on the format are filled in as the server does.
void copy_options(const ::List* options, CopyTarget& copied);

}  // namespace sallyport::postgres
