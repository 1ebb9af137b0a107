"""Words of weighbridges and laboratories in seven languages, for proposing a mapping only.

English, French, Spanish, Portuguese, German, Russian, Chinese. A word leads to a field that a
person then confirms; nothing is read by these alone.
"""

from collections.abc import Mapping
from types import MappingProxyType

LIMIT_WORDS = (
    "ND", "N.D.", "<LOD", "<LOQ", "<DL", "<MDL", "BDL", "BLD", "LOD", "LLD", "<LD", "<LQ", "n.n.",
    "н.о.", "未检出",
)  # fmt: skip
"""What laboratories write where they found less than their method can see."""

TOTAL_WORDS = (
    "total", "totals", "totaux", "totales", "totais", "sum", "summe", "gesamt", "somme", "suma",
    "soma", "subtotal", "sous-total", "итого", "всего", "合计", "总计", "小计",
)  # fmt: skip
"""First word of a row that sums up others."""

AVERAGE_WORDS = (
    "average", "averages", "avg", "mean", "moyenne", "moyennes", "promedio", "promedios", "media",
    "média", "medias", "médias", "mittel", "mittelwert", "durchschnitt", "среднее", "средние",
    "平均", "平均值",
)  # fmt: skip
"""First word of a row that averages others; whole, as a lot can begin like one."""

_HEADINGS: Mapping[str, str] = MappingProxyType(
    {
        "ticket_no": "ticket no|ticket|ticket number|ticket nr|ticket id|docket|docket no|slip no"
        "|weighing no|n° ticket|no ticket|numéro ticket|numéro de ticket|n° de ticket|n° pesée"
        "|numéro pesée|bon de pesée|n° bon|no de boleta|boleta|n° boleta|nro ticket|folio"
        "|nº ticket|nº do ticket|ticket de pesagem|nº pesagem|wiegeschein|wiegeschein-nr"
        "|wiegescheinnummer|wiegenummer|wiege-nr|scheinnummer|beleg-nr|№ талона|номер талона"
        "|талон|№ взвешивания|номер взвешивания|磅单号|过磅单号|磅单编号|流水号|单号",
        "lot_id": "lot|lot no|lot number|lot id|batch|batch no|batch id|parcel|consignment"
        "|n° lot|numéro de lot|no lot|lote|n° lote|nº lote|nº do lote|número de lote|partida"
        "|charge|los|los-nr|losnummer|chargen-nr|partie|партия|№ партии|номер партии"
        "|批号|批次|批次号",
        "gross_kg": "gross|gross weight|gross wt|gross mass|weight in|brut|poids brut|masse brute"
        "|p brut|bruto|peso bruto|brutto|bruttogewicht|brutto gewicht|брутто|вес брутто"
        "|масса брутто|毛重",
        "tare_kg": "tare|tare weight|tare wt|tare mass|poids tare|p tare|tara|peso tara"
        "|taragewicht|leergewicht|тара|вес тары|масса тары|皮重",
        "net_kg": "net|net weight|net wt|net mass|nett|nett weight|poids net|masse nette|p net"
        "|neto|peso neto|líquido|peso líquido|peso liquido|netto|nettogewicht|нетто|вес нетто"
        "|масса нетто|净重",
        "occurred_at": "date|datetime|date time|date/time|date and time|timestamp|date out"
        "|date heure|date/heure|date et heure|date pesée|date de pesée|fecha|fecha hora"
        "|fecha y hora|fecha/hora|data|data hora|data/hora|data e hora|datum|datum uhrzeit"
        "|datum/uhrzeit|wiegedatum|дата|дата время|дата и время|дата взвешивания|日期|日期时间"
        "|时间日期|过磅时间|过磅日期|report date|date reported|date finalized|date d'analyse"
        "|fecha de análisis|datum der analyse|дата анализа|检测日期|报告日期|date analysed"
        "|analysis date|date analyzed",
        "time": "time|time out|heure|heure pesée|hora|zeit|uhrzeit|время|时间",
        "vehicle_id": "vehicle|vehicle no|vehicle id|vehicle reg|registration|reg no|truck"
        "|truck no|truck id|licence plate|license plate|plate|rego|véhicule|immatriculation"
        "|immat|camion|n° camion|vehículo|placa|placas|patente|matrícula|veículo|caminhão"
        "|fahrzeug|kennzeichen|kfz|kfz-kennzeichen|машина|автомобиль|гос номер|госномер"
        "|номер машины|номер авто|车号|车牌|车牌号",
        "movement_id": "trip|trip no|trip id|waybill|waybill no|delivery note|voyage|n° voyage"
        "|bon de livraison|lettre de voiture|viaje|guía|guia|guía de remisión|viagem"
        "|lieferschein|lieferschein-nr|fahrt|рейс|№ рейса|накладная|№ накладной|ттн|运单号|车次",
        "device_id": "scale|scale no|scale id|weighbridge|bridge|bascule|pont bascule|pont|báscula"
        "|bascula|balanza|balança|waage|waage-nr|waagennummer|весы|№ весов|磅房|磅号|地磅"
        "|instrument|instrument sn|instrument serial num|instrument serial|serial no|analyzer",
        "direction": "direction|in/out|sens|entrée/sortie|sentido|dirección|direção|richtung"
        "|направление|进出|方向",
        "purpose": "purpose|type|movement type|type de pesée|mouvement|tipo|tipo de movimiento"
        "|tipo de movimento|art|vorgang|тип|вид операции|операция|过磅类型|类型",
        "site_id": "site|site id|location|plant|mine|usine|planta|mina|werk|standort|площадка"
        "|рудник|участок|矿山|厂区",
        "certificate_no": "certificate|certificate no|certificate number|cert no|report no"
        "|report number|job no|work order|workorder|batch report|certificat|n° certificat"
        "|n° rapport|certificado|n° certificado|nº certificado|informe|n° informe|laudo"
        "|nº laudo|zertifikat|zertifikat-nr|prüfbericht|prüfbericht-nr|сертификат"
        "|№ сертификата|протокол|№ протокола|证书编号|报告编号|报告号",
        "sample_id": "sample|sample id|sample no|sample number|sampleid|sample name|lab no"
        "|sample description|échantillon|n° échantillon|réf échantillon|muestra|n° muestra"
        "|id muestra|amostra|nº amostra|probe|proben-nr|probennummer|probe-nr|проба|№ пробы"
        "|номер пробы|样品|样品编号|样号|样品号",
        "lab_id": "laboratory|lab|lab id|lab name|laboratoire|labo|laboratorio|laboratório|labor"
        "|лаборатория|实验室",
        "method": "method|method code|méthode|método|methode|verfahren|метод|методика|方法",
        "stage": "stage|status|statut|estado|estágio|stufe|статус|стадия|阶段",
        "party": "party|partie prenante|parte|partei|сторона|方",
        "moisture": "moisture|moisture content|h2o|h2o-|humidity|humidité|taux d'humidité"
        "|humedad|umidade|feuchte|feuchtigkeit|wassergehalt|влажность|влага|水分|含水率|水份",
        "shot_no": "reading|reading no|reading #|reading number|shot|shot no|measurement no"
        "|n° mesure|mesure|lectura|leitura|messung|mess-nr|замер|№ замера|测量编号|读数",
        "live_time_s": "live time|duration|durée|duración|duração|messzeit|dauer|длительность"
        "|测量时间",
        "mode": "mode|modus|modo|режим|模式",
    }
)

FIELD_BY_WORD: Mapping[str, str] = MappingProxyType(
    {
        " ".join(word.casefold().split()): field
        for field, words in _HEADINGS.items()
        for word in words.split("|")
    }
)
"""Field of a request by a heading as headings are compared; ``time`` goes with ``occurred_at``."""

VALUE_BY_WORD: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "purpose": {
            "dispatch": "dispatch", "expédition": "dispatch", "despacho": "dispatch",
            "expedição": "dispatch", "versand": "dispatch", "отгрузка": "dispatch",
            "发货": "dispatch", "receipt": "receipt", "réception": "receipt",
            "recepción": "receipt", "recebimento": "receipt", "eingang": "receipt",
            "приемка": "receipt", "收货": "receipt", "stock": "stock", "check": "check",
        },
        "direction": {
            "in": "in", "entrée": "in", "entrada": "in", "eingang": "in", "въезд": "in", "进": "in",
            "out": "out", "sortie": "out", "salida": "out", "saída": "out", "ausgang": "out",
            "выезд": "out", "出": "out",
        },
        "stage": {
            "provisional": "provisional", "provisoire": "provisional", "exchanged": "exchanged",
            "umpire": "umpire", "final": "final", "définitif": "final", "endgültig": "final",
        },
        "party": {
            "seller": "seller", "vendeur": "seller", "vendedor": "seller", "verkäufer": "seller",
            "buyer": "buyer", "acheteur": "buyer", "comprador": "buyer", "käufer": "buyer",
            "umpire": "umpire", "arbitre": "umpire", "plant": "plant", "usine": "plant",
        },
    }
)  # fmt: skip
"""What a word in a column says, where it can mean one thing only."""
