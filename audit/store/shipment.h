// One group on its way into the store: what one transaction writes.

#pragma once

#include <vector>

#include "audit/store/frame.h"
#include "audit/store/projection.h"
#include "audit/trail/journal.h"

namespace sallyport {

struct Shipment {
    std::vector<Frame> frames;  // in the order of their wseq
    Projection projection;
    Position end = 0;      // behind the last event of the journal that is in it
    bool stopped = false;  // its last event of the gateway itself is gateway_stopped
};

}  // namespace sallyport
