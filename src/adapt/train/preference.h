// Direct preference optimisation (Rafailov et al. 2023): of two answers to one prompt the better
// one shall gain on the worse, measured against the model as it was.
#ifndef JIKJI_ADAPT_TRAIN_PREFERENCE_H_
#define JIKJI_ADAPT_TRAIN_PREFERENCE_H_

#include <cstddef>
#include <span>
#include <vector>

namespace jikji::train {

struct PreferenceLoss {
  double sum = 0;               // over the pairs
  std::vector<double> factors;  // of each document's −log p: the gradient of the sum
};

struct Preference {
  double beta = 0.1;
  std::vector<double> reference;  // −log p of each document under the model as it was

  // `numbers` name pairs of documents, the better first; `losses` are their −log p now.
  // −log σ(β · margin), margin = (reference − now) of the better minus that of the worse.
  PreferenceLoss Of(std::span<const size_t> numbers, std::span<const double> losses) const;
};

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_PREFERENCE_H_
