package ccda

import "strings"

// cdaNames are the element names of CDA R2 and of the sdtc extensions, those that a path
// may show.
var cdaNames = names(`
ClinicalDocument act addr administrationUnitCode administrativeGenderCode admissionReferralSourceCode approachSiteCode
asOrganizationPartOf asPatientRelationship assignedAuthor assignedAuthoringDevice assignedCustodian assignedEntity assignedPerson
associatedEntity associatedPerson authenticator author authorization authoringDevice awarenessCode birthTime birthplace
br caption car center city code col colgroup comp component componentOf confidentialityCode consent consumable content
copyTime country county criterion custodian dataEnterer deceasedInd deceasedTime delimiter deliveryAddressLine denominator desc
dischargeDispositionCode documentationOf doseQuantity effectiveTime encompassingEncounter encounter encounterParticipant entity entry
entryRelationship ethnicGroupCode event expectedUseTime expirationTime externalAct externalDocument externalObservation
externalProcedure family footnote footnoteRef functionCode given guardian guardianOrganization guardianPerson healthCareFacility high
houseNumber houseNumberNumeric id identifiedBy inFulfillmentOf independentInd informant informationRecipient intendedRecipient
interpretationCode item labeledDrug languageCode languageCommunication legalAuthenticator linkHtml list literacyLevelCode location
lotNumberText low maintainingDevice manufacturedLabeledDrug manufacturedMaterial manufacturedProduct manufacturerModelName
manufacturerOrganization maritalStatusCode material maxDoseQuantity methodCode modeCode multipleBirthInd multipleBirthOrderNumber name
nonXMLBody numerator observation observationMedia observationRange offset order organizer originalText paragraph
parentDocument part participant participantRole patient patientRole performer period phase place playingDevice playingEntity
postalCode precinct precondition preconditionCode preferenceInd prefix priorityCode procedure product proficiencyLevelCode qualifier
quantity raceCode rateQuantity realmCode receivedOrganization recordTarget reference referenceRange regionOfInterest relatedDocument
relatedEntity relatedPerson relatedSubject religiousAffiliationCode renderMultiMedia repeatNumber representedCustodianOrganization
representedOrganization responsibleParty routeCode sampleOf scopingEntity section separatableInd sequenceNumber serviceEvent
serviceProviderOrganization setId signatureCode softwareName specimen specimenPlayingEntity specimenRole standardIndustryClassCode
state statusCode streetAddressLine streetName structuredBody sub subject substanceAdministration suffix sup supply
table targetSiteCode tbody td telecom templateId text tfoot th thead time title tr translation typeId unitID useablePeriod validTime value
versionNumber width wholeOrganization`)

func names(list string) map[string]bool {
	set := map[string]bool{}
	for name := range strings.FieldsSeq(list) {
		set[name] = true
	}
	return set
}
