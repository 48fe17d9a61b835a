#include "gateway/masking/mask_plan.h"

#include <algorithm>
#include <utility>

namespace sallyport {

MaskPlan::MaskPlan(std::vector<const MaskAction*> actions, const MaskKey& key)
    : actions_(std::move(actions)),
      key_(&key),
      hidden_(actions_.size() - static_cast<std::size_t>(std::ranges::count(actions_, nullptr))),
      announced_(true)
{
}

const MaskAction* MaskPlan::action(std::size_t column) const
{
    // A column nobody announced is hidden: better a blank than a leak.
    return column < actions_.size() ? actions_[column] : &MaskRules::untraced_action();
}

}  // namespace sallyport
